DOCUMENTATION = """
module: fleet
short_description: stub
"""
