DOCUMENTATION = """
module: gate
short_description: stub
"""
