"""The verdict: acceptance files run by testinfra on a lab that is up, one file for each promise."""
