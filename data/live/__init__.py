"""Real servers for the examples and the tests: started by us, on loopback only, and stopped again.

One module per kind of server. What is loaded into them is not known to those.
"""
