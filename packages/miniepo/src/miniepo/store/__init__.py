"""What the server and the handlers remember: PostgreSQL behind one class per noun, with its SQL in named files."""
