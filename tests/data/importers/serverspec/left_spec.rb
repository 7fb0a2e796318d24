require 'spec_helper'
set :backend, :exec
%w(a b).each do |name|
  describe package(name) do
    it { should be_installed }
  end
end
describe package('nginx'), :if => os[:family] == 'debian' do
  it { should be_installed }
end
describe file("/srv/#{app}") do
  it { should exist }
end
describe file('/etc/x') do
  it { should be_readable.by('owner') }
  it { should contain('a.*b') }
  its(:content) { should match(/a/x) }
  before { prepare }
  it 'is there' do
    expect(helper).to be_there
  end
  it { should be_mode 640 }
end
describe command('x') do
  its(:stdout) { should match /a\sb/ }
  its(:stdout) { should match /(?=a)/ }
end
describe cgroup('web') do
  its('cpuset.cpus') { should eq '1' }
end
