"""Other sources of data: bundled sets, molecules, the synthetic mixture, names that plug-ins offer."""
