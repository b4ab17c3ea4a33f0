"""A model into service: on this laptop, in a stage's package, behind an endpoint of SageMaker."""
