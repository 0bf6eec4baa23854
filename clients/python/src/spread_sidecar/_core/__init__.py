"""What the blocking and the asyncio API share: rules and conversions, without input or output."""
