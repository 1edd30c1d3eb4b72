"""The simulation: when things happen. Imports the exchange and the tape; knows no agent by name."""
