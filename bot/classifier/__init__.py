"""Text models behind one port: embedded fastText, or a BlazingText endpoint on SageMaker."""
