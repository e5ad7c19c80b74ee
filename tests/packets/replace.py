def run(t,f): pass
