"""Who did something: a person, or what acts for the workspace."""

from shared.sources.incident_io.record import Creator


def kind_and_email(actor: Creator) -> tuple[str | None, str | None]:
    """What kind of actor it is, and the e-mail of a person; None for a kind that is not known, and for no e-mail."""
    if actor.user is not None:
        return "user", actor.user.email
    for kind in ("api_key", "alert", "workflow"):
        if getattr(actor, kind) is not None:
            return kind, None
    return None, None
