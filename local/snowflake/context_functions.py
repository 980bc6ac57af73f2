"""CURRENT_WAREHOUSE() and the other functions about the session.

Gap: fakesnow has no warehouse, role, user or session number; USE WAREHOUSE and USE ROLE are forgotten.
"""

from dataclasses import dataclass

from sqlglot import Expr, exp


@dataclass
class Context:
    """Who works, as which role, in which warehouse."""

    session_id: int
    user: str
    role: str
    warehouse: str
    account: str = "LOCAL"
    region: str = "LOCAL"
    last_query_id: str = ""

    def use(self, statement: Expr) -> bool:
        """Carry out USE WAREHOUSE or USE ROLE (any name is accepted); False for another USE."""
        if not isinstance(statement, exp.Use) or not isinstance(kind := statement.args.get("kind"), exp.Var):
            return False
        name = statement.this.this if isinstance(statement.this, exp.Table) else statement.this
        if not isinstance(name, exp.Identifier):
            return False
        value = name.name if name.quoted else name.name.upper()
        match kind.name.upper():
            case "WAREHOUSE":
                self.warehouse = value
            case "ROLE":
                self.role = value
            case _:
                return False
        return True

    def fill_in(self, statement: Expr) -> Expr:
        """Replace the context functions by their values."""
        for call in list(statement.find_all(exp.Func)):
            value = self._value(call)
            if value is None:
                continue
            if isinstance(call.parent, exp.Select) and call.arg_key == "expressions":
                value = exp.alias_(value, call.sql(dialect="snowflake").upper(), quoted=True)
            call.replace(value)
        return statement

    def _value(self, call: exp.Func) -> Expr | None:
        name = (call.name if isinstance(call, exp.Anonymous) else call.sql_name()).upper()
        match name:
            case "CURRENT_WAREHOUSE":
                return exp.Literal.string(self.warehouse)
            case "CURRENT_ROLE":
                return exp.Literal.string(self.role)
            case "CURRENT_USER":
                return exp.Literal.string(self.user)
            case "CURRENT_SESSION":
                return exp.Literal.string(str(self.session_id))
            case "CURRENT_ACCOUNT" | "CURRENT_ACCOUNT_NAME":
                return exp.Literal.string(self.account)
            case "LAST_QUERY_ID" if not call.expressions:
                return exp.Literal.string(self.last_query_id)
            case "CURRENT_REGION":
                return exp.Literal.string(self.region)
        return None
