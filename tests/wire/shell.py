"""A real shell that is asked what it would complete."""

import shutil
import subprocess
from pathlib import Path

_ASK = """
source "$1"
COMP_WORDS=("${@:2}"); COMP_CWORD=$(( ${#COMP_WORDS[@]} - 1 ))
ask=$(complete -p "$2" | sed -n 's/.*-F \\([^ ]*\\).*/\\1/p')
"$ask" "$2" "${COMP_WORDS[COMP_CWORD]}"
printf '%s\\n' "${COMPREPLY[@]}"
"""


def completed(script: Path, *words: str) -> set[str]:
    """Return what bash offers in the script's folder for the last of a command line's words."""
    bash = shutil.which("bash") or "bash"
    argv = [bash, "-c", _ASK, "ask", str(script), *words]
    done = subprocess.run(argv, capture_output=True, text=True, check=True, cwd=script.parent)
    return {word.strip() for word in done.stdout.split("\n") if word.strip()}
