import dataclasses


@dataclasses.dataclass(frozen=True)
class Check:
    """The result of one check of a model.

    Args:
        name: What was checked.
        passed: Whether it should be so. None if it is told for information alone.
        detail: What was found.
    """

    name: str
    passed: bool | None
    detail: str
