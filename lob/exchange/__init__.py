"""The exchange: what a venue does with requests. Knows no clock and no agent."""
