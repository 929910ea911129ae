"""The shell in which a newcomer deploys and breaks things."""

import os
import subprocess
import sys

from conftest import Sample
from emulator import ROOT

SECONDS = 240
TYPED = """
set -e
output() {
    aws cloudformation describe-stacks --stack-name cloudtrail-signals --output text \\
        --query "Stacks[0].Outputs[?OutputKey=='$1'].OutputValue"
}
echo y | make deploy
aws s3api put-object --bucket "$(output BucketName)" --key AWSLogs/111122223333/CloudTrail/a.json.gz --body "$DELIVERY"
for _ in $(seq 60); do
    aws logs filter-log-events --log-group-name "$(output LogGroupName)" | grep -q "$WANTED" && break
    sleep 1
done
aws logs filter-log-events --log-group-name "$(output LogGroupName)" | grep -q "$WANTED"
aws sqs receive-message --queue-url "$(output DeadLetterQueueUrl)"
make redrive
exit 7
"""


def test_deploy_deliver_look_and_redrive_work_in_the_sandbox_as_they_are_typed_for_aws(main: Sample) -> None:
    delivery = str(ROOT / "events/deliveries" / main.key)
    variables = {"DELIVERY": delivery, "WANTED": f'published\\\\":{main.ids.total()},'}
    both = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "timeout": SECONDS, "text": True}
    command = [sys.executable, ROOT / "tools/sandbox.py"]
    done = subprocess.run(command, env=os.environ | variables, input=TYPED, check=False, **both)
    assert done.returncode == 7, done.stdout
    assert "0 dead letters are back in the queue" in done.stdout
