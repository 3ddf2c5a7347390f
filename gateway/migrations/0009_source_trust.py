"""Which certificates of a camera are trusted.

Until now the certificate of an rtsps camera was not looked at: such cameras go on as they were.
"""


def upgrade(run, types):
    run("ALTER TABLE devices ADD COLUMN tls_trust TEXT NOT NULL DEFAULT 'verify'")
    run("ALTER TABLE devices ADD COLUMN tls_fingerprint TEXT")
    run(
        "UPDATE devices SET tls_trust = 'any'"
        " WHERE SUBSTR(source_url, 1, 6) = 'rtsps:' OR SUBSTR(sub_source_url, 1, 6) = 'rtsps:'"
    )
