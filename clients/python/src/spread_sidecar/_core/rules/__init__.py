"""The rules of docs/client-rules.md, without I/O. Comments contain the numbers of the rules, such as ``R8``.

The clock and the random numbers are arguments.
"""
