"""Word to others when something happened: cache purges, webhooks, alerts. Its failure never fails a publish."""

__all__: list[str] = []
