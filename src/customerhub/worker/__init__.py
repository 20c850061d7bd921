"""What runs beside the requests: changes on their way to sinks."""
