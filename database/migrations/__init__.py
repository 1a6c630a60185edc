"""The steps that bring a database's schema to the newest one; `upgrade.py` runs them through alembic."""
