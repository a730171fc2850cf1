from hypothesis import HealthCheck, settings

# The machines that run this are shared and noisy: nothing here may depend on time.
settings.register_profile(
    "syncxr", deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True
)
settings.load_profile("syncxr")
