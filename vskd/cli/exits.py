"""How a command ends that was stopped; the entry and the commands say it alike."""

EXIT_INTERRUPTED = 130
STOPPED = (
    "error: Stopped by Ctrl-C; finished work is kept. Run the same command again to go on: training resumes from its "
    "last checkpoint."
)
