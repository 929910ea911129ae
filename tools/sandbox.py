"""A shell in which AWS is an emulator on this machine, with IAM enforced: deploy into it, and break what you like.

``aws``, ``sam``, ``make deploy`` and ``make redrive`` speak to the emulator and to nothing else. Everything in it is gone
when the shell ends.
"""

import os
import shutil
import subprocess
import tempfile
import threading
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError
from emulator import ROOT, Emulator, ministack, run
from stack import mend, outputs_of

PAUSE_SECONDS = 0.5
WELCOME = """
AWS is an emulator in this shell. Try, for example:

  make deploy
  aws cloudformation describe-stacks --stack-name cloudtrail-signals

docs/sandbox.md goes on from here. Leave with exit.
"""


def write_aws(folder: Path) -> None:
    """Write an aws command for the emulator: version 1 asks AWS itself for SQS unless the address is an argument."""
    command = folder / "aws"
    command.write_text(f'#!/bin/sh\nexec \'{ROOT}/.venv/aws/bin/aws\' --endpoint-url "$AWS_ENDPOINT_URL" "$@"\n')
    command.chmod(0o755)


def keep_mended(emulator: Emulator, stop: threading.Event) -> None:
    """After every deployment, give the stack what only the emulator requires, until `stop` is set."""
    cloudformation = emulator.client("cloudformation")
    mended = set()
    while not stop.wait(PAUSE_SECONDS):
        for stack in cloudformation.describe_stacks()["Stacks"]:
            deployment = stack["StackId"], stack.get("LastUpdatedTime"), stack["StackStatus"]
            found = outputs_of(stack)
            if "FunctionName" in found and stack["StackStatus"].endswith("_COMPLETE") and deployment not in mended:
                try:
                    mend(emulator, found)
                except (BotoCoreError, ClientError):
                    # It is being deleted, or somebody has just broken it, which is what a sandbox is for.
                    continue
                mended.add(deployment)


def main() -> int:
    with ministack(enforcing=True) as emulator, tempfile.TemporaryDirectory(prefix="sandbox-") as folder:
        write_aws(Path(folder))
        variables = emulator.environment
        variables["PATH"] = f"{folder}{os.pathsep}{variables['PATH']}"
        variables["PS1"] = "sandbox$ "
        for name in ("MAKEFLAGS", "MAKELEVEL", "BASH_ENV", "ENV"):
            variables.pop(name, None)
        stop = threading.Event()
        mender = threading.Thread(target=keep_mended, args=(emulator, stop))
        mender.start()
        try:
            print(WELCOME, flush=True)
            # Without the user's own settings, which could lead to AWS itself.
            shell = ["bash", "--noprofile", "--norc"] if shutil.which("bash") else ["sh"]
            return subprocess.run(shell, env=variables, cwd=ROOT, check=False).returncode
        finally:
            stop.set()
            mender.join()


if __name__ == "__main__":
    run(main)
