"""Rules and conversions of the blocking and the asyncio API, without input or output."""
