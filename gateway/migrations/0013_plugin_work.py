"""Plugins: the migrations and tables of each, and the runs of their schedules."""


def upgrade(run, types):
    # `error` of a migration that has failed: it was rolled back, and `applied_at` is null.
    run(f"""
        CREATE TABLE plugin_migrations (
            plugin TEXT NOT NULL,
            number INTEGER NOT NULL,
            name TEXT NOT NULL,
            applied_at {types.time},
            error TEXT,
            PRIMARY KEY (plugin, number)
        )""")
    run("CREATE TABLE plugin_tables (name TEXT PRIMARY KEY, plugin TEXT NOT NULL)")
    run(f"""
        CREATE TABLE plugin_schedules (
            plugin TEXT NOT NULL,
            name TEXT NOT NULL,
            next_at {types.time} NOT NULL,
            run TEXT,
            beat_at {types.time},
            started_at {types.time},
            ended_at {types.time},
            error TEXT,
            failures INTEGER NOT NULL,
            PRIMARY KEY (plugin, name)
        )""")
