"""A lab's life, in order: what each command does, step by step."""
