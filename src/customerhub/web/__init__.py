"""HTTP for every dialect: routing, bodies, guards, limits, documents; knows no customer and no dialect."""
