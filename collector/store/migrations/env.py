"""Run by alembic, with the open connection that `migrate` hands over; one transaction for all steps."""

from alembic import context

from collector.store.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transactional_ddl=True,
    transaction_per_migration=False,
    compare_type=True,
    user_module_prefix="schema.",
)
context.run_migrations()
