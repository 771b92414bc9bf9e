"""The only code of the course that touches the network: where each file is had, and how it is checked."""
