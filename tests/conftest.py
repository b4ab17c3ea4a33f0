from hypothesis import settings

# A deadline would assert a time, and a busy machine would break it.
settings.register_profile("no deadline", deadline=None)
settings.load_profile("no deadline")
