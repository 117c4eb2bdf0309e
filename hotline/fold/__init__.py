"""The fold: the set of a call's or ticket's events → its row."""

from hotline.fold.rows import FOLD_VERSION, Call, Row, Ticket
from hotline.fold.standing import ENTITY, MEMBER, standing, with_keys
from hotline.fold.vectorised import fold

__all__ = ["ENTITY", "FOLD_VERSION", "MEMBER", "Call", "Row", "Ticket", "fold", "standing", "with_keys"]
