"""Recovery plans, proved by executing what they print, in every state that the demo world can be brought into."""
