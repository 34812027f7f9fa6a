"""epolab: reproducible labs of an ePO-style endpoint-management estate, as code."""
