"""The fold: the set of a call's or ticket's events → its row."""

from hotline.fold.standing import ENTITY, MEMBER, standing, with_keys
from hotline.fold.vectorised import fold
from hotline.fold.versions import SIZE_UNIT, folded_by, folded_by_versions
from hotline.rows import FOLD_VERSION, Call, Row, Ticket

__all__ = [
    "ENTITY",
    "FOLD_VERSION",
    "MEMBER",
    "SIZE_UNIT",
    "Call",
    "Row",
    "Ticket",
    "fold",
    "folded_by",
    "folded_by_versions",
    "standing",
    "with_keys",
]
