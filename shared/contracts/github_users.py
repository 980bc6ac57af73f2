"""`GITHUB_USERS`: the people of the organisation and the teams that they are in."""

from shared.contracts.contract import INSTANT, INTEGER, JSON, TEXT, Column, Contract

GITHUB_USERS = Contract(
    name="github_users",
    table="GITHUB_USERS",
    grain="One row per person in any of the organisation's teams, as of the last reading.",
    keys=("organisation", "user_id"),
    # a change of team moves no instant of the user's, so the later observation is the newer version
    version="_observed_at",
    anchor="created_at",
    cluster_by="created_at",
    # read as a whole: whoever is in no team any more, or has no account, is gone
    scope="organisation",
    columns=(
        Column("organisation", TEXT, "The organisation.", True),
        Column("user_id", INTEGER, "The person's id; stays when the login changes.", True),
        Column("login", TEXT, "The person's login.", True, pii=True),
        Column("name", TEXT, "The person's name; often not given.", pii=True),
        Column("email", TEXT, "The public e-mail; often not given.", pii=True),
        Column("user_type", TEXT, "User or Bot."),
        Column("teams", JSON, "The teams that the person is in now: an array of {slug, name}, by slug.", True),
        Column(
            "team_slugs", TEXT, "The teams' slugs, by name, joined by commas: what to watch for changes of team.", True
        ),
        Column("created_at", INSTANT, "When the account was created.", True),
        Column("updated_at", INSTANT, "When the profile last changed; teams do not count.", True),
        Column("payload", JSON, "The profile as received.", True),
    ),
)
