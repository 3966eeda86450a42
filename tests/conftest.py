"""
What holds for every test.
"""

from hypothesis import HealthCheck, settings

# A busy machine is no failure: how long a test may take is said once, by pytest's own limit.
settings.register_profile(
    "offlineseed", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("offlineseed")
