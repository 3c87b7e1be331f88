"""Downloads from the Hugging Face Hub: a process of its own, and the one thing here that leaves the machine."""
