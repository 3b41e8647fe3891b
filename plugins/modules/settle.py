DOCUMENTATION = """
module: settle
short_description: stub
"""
