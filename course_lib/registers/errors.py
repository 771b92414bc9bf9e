"""What is said when a register breaks its rules."""


class RegisterError(Exception):
    """A register, or something recorded for it, breaks a rule; the message names the place and the remedy."""
