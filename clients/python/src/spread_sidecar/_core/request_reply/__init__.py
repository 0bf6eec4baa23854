"""The rules Q1 to Q11 of docs/request-reply.md. Without I/O."""
