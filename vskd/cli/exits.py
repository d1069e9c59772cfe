"""How a command ends that was stopped; the entry and the commands say it alike."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Stop:
    """Who stopped a command, and what it leaves with: 128 + the signal's number, as shells expect."""

    by: str
    code: int

    @property
    def text(self) -> str:
        """The last line on stderr."""
        return (
            f"error: Stopped by {self.by}; finished work is kept. Run the same command again to go on: what was being "
            "trained resumes from its last checkpoint."
        )


INTERRUPTED = Stop("Ctrl-C", 130)
TERMINATED = Stop("TERM", 143)


class Terminated(KeyboardInterrupt):
    """Another program asks this one to end: a batch system, a container, `kill`."""


def stop_of(error: BaseException) -> Stop:
    """What stopped a command, by the exception that it has become: click and Lightning raise others."""
    found: BaseException | None = error
    while found is not None and not isinstance(found, Terminated):
        found = found.__cause__ or found.__context__
    return INTERRUPTED if found is None else TERMINATED
