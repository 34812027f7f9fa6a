"""Writes what is made from the topology records: `python -m epolab.topology schema|reference`."""

import sys

from epolab.topology.reference import reference
from epolab.topology.schema import schema_text

sys.stdout.write({"schema": schema_text, "reference": reference}[sys.argv[1]]())
