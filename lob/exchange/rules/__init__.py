"""The rules of a venue beyond plain price-time orders, each in a module of its own; the table of them is docs/rules.md."""
