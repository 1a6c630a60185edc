"""One file for each step, and its SQL for each kind of database."""
