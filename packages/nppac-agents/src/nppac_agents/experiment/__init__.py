"""The experiment file: its fields, how it is read, its JSON schema."""
