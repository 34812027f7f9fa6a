"""Plain `pulumi up`: the stack's configuration names the topology (`pulumi config set epolab:topology FILE`)."""

import pulumi

from epolab.program import declare
from epolab.steps.configured import configured

declare(*configured(pulumi.Config("epolab").get))
