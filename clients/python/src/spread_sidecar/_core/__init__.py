"""The common part of the blocking and the asyncio API: rules and conversions without I/O."""
