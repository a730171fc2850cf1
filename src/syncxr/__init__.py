"""syncxr: synthetic chest X-ray image-report pairs, and the bench that tells their worth."""

__version__ = "0.1.0"
