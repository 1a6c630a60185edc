"""What alembic runs: on the connection that upgrade.py hands in, or, offline, to print the SQL."""

from alembic import context

config = context.config
connection = config.attributes.get("connection")

if context.is_offline_mode():
    context.configure(dialect_name=config.attributes["dialect"], literal_binds=True)
else:
    context.configure(connection=connection)
with context.begin_transaction():
    context.run_migrations()
