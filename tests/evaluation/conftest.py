import hypothesis

# No test asserts a time: on a busy machine Hypothesis's deadline would.
hypothesis.settings.register_profile("no_deadline", deadline=None)
hypothesis.settings.load_profile("no_deadline")
