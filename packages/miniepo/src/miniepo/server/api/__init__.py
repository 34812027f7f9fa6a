"""The Web API under `/remote/`: how a call is read, who may make it, which command answers, how the reply is framed."""
