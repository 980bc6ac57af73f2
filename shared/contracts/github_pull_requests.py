"""`GITHUB_PULL_REQUESTS`: the pull requests of the organisation's repositories."""

from shared.contracts.contract import BOOLEAN, INSTANT, INTEGER, JSON, TEXT, Column, Contract

GITHUB_PULL_REQUESTS = Contract(
    name="github_pull_requests",
    table="GITHUB_PULL_REQUESTS",
    grain="One row per pull request, the newest version seen.",
    keys=("pull_request_id",),
    version="updated_at",
    anchor="created_at",
    cluster_by="created_at",
    # once an account or a fork is deleted, the vendor forgets whose a pull request was, and where it came from
    kept=("author_id", "author_login", "author_type", "head_repository"),
    columns=(
        Column("pull_request_id", INTEGER, "The pull request's id, unique over all repositories.", True),
        Column("organisation", TEXT, "The organisation that owns the repository.", True),
        Column("repository", TEXT, "The repository that it asks to change, without its owner.", True),
        Column("number", INTEGER, "What people call the pull request; unique per repository only.", True),
        Column("title", TEXT, "What it is about.", True),
        Column("state", TEXT, "open or closed; merged ones are closed.", True),
        Column("is_draft", BOOLEAN, "Whether it is not meant to be reviewed yet."),
        Column("author_id", INTEGER, "Who opened it; kept once known, NULL if the account was deleted before."),
        Column("author_login", TEXT, "The author's login; kept like author_id.", pii=True),
        Column("author_type", TEXT, "User or Bot; kept like author_id."),
        Column("author_association", TEXT, "What the author is to the repository: MEMBER, CONTRIBUTOR …"),
        Column("base_ref", TEXT, "The branch that it asks to change."),
        Column("head_repository", TEXT, "Where the change comes from, owner included; kept when a fork is deleted."),
        Column("labels", JSON, "Names of its labels, an array of text.", True),
        Column("created_at", INSTANT, "When it was opened.", True),
        Column("updated_at", INSTANT, "When anything about it last changed, comments included.", True),
        Column("closed_at", INSTANT, "When it was merged or closed; NULL while it is open."),
        Column("merged_at", INSTANT, "When it was merged; NULL when it was not."),
        Column("url", TEXT, "Where people read it."),
        Column("payload", JSON, "The record as received.", True),
    ),
)
